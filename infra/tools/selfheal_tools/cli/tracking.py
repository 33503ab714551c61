"""The MLflow server of `MLFLOW_TRACKING_URI`, kept in step after what a person does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfheal.stores.collection import Stores


def mirror_where_configured(stores: "Stores") -> None:
    """Mirror the registry where an MLflow server is configured; it being away changes nothing that was done."""
    import os

    import typer

    from selfheal.composition import tracking_of
    from selfheal.errors import SelfhealError
    from selfheal.usecases.registry.mirror import mirror

    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        return
    try:
        mirror(stores, tracking_of(uri))
    except SelfhealError as error:
        typer.echo(f"not mirrored: {error}", err=True)
