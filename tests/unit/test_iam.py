"""IAM's decisions, for the part of its language that the templates use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.iam import Call, is_allowed, statement_of

OBJECTS = "arn:aws:s3:::bucket/models/*"


def statement(effect="Allow", action="s3:GetObject", resource=OBJECTS, **rest):
    return statement_of({"Effect": effect, "Action": action, "Resource": resource, **rest})


def get(key="models/v1/model.json", **context) -> Call:
    return Call("s3:GetObject", f"arn:aws:s3:::bucket/{key}", {f"s3:{k}": v for k, v in context.items()})


def test_nothing_is_allowed_unless_something_allows_it():
    """Without a statement that applies, a call is refused."""
    assert not is_allowed(get(), [])
    assert not is_allowed(get("pointers/production.json"), [statement()])
    assert is_allowed(get(), [statement()])


def test_a_denial_wins():
    """An explicit deny, of the role or of the bucket, goes before every allow."""
    denial = statement("Deny", "s3:*", "*")
    assert not is_allowed(get(), [statement(), denial])
    assert not is_allowed(get(), [statement()], [denial])


def test_a_buckets_policy_alone_allows_nothing():
    """What the bucket's policy would allow still needs the role's own allow."""
    assert not is_allowed(get(), [], [statement()])


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [("s3:Get*", "s3:GetObject", True), ("S3:GETOBJECT", "s3:GetObject", True), ("s3:Get?bject", "s3:GetObject", True),
     ("s3:GetObject", "s3:GetObjectVersion", False), ("s3:Put*", "s3:GetObject", False)],
)  # fmt: skip
def test_actions_match_by_wildcards_whatever_their_case(pattern, action, matches):
    """`*` stands for any text and `?` for one character; actions know no case."""
    assert is_allowed(Call(action, "r"), [statement(action=pattern, resource="*")]) is matches


def test_resources_do_know_case():
    """Keys that differ in case are different keys."""
    assert not is_allowed(get("Models/v1/model.json"), [statement()])


@pytest.mark.parametrize(
    ("condition", "prefix", "holds"),
    [
        ({"StringLike": {"s3:prefix": ["models/*", "ledger/*"]}}, "ledger/0001", True),
        ({"StringLike": {"s3:prefix": "models/*"}}, "pointers/", False),
        ({"StringLike": {"s3:prefix": "models/*"}}, None, False),
        ({"StringLikeIfExists": {"s3:prefix": "models/*"}}, None, True),
        ({"StringEquals": {"s3:prefix": "models/"}}, "models/", True),
        ({"StringNotEquals": {"s3:prefix": "models/"}}, None, True),
        ({"Null": {"s3:prefix": "true"}}, None, True),
        ({"Null": {"s3:prefix": "true"}}, "models/", False),
        ({"Null": {"s3:prefix": "false"}}, "models/", True),
    ],
)
def test_conditions(condition, prefix, holds):
    """Operators hold as IAM documents them; a missing key fails what isn't negated, `IfExists` or `Null`."""
    call = get() if prefix is None else get(prefix=prefix)
    assert is_allowed(call, [statement(Condition=condition)]) is holds


def test_transport_conditions():
    """A denial of plain requests and old TLS leaves today's alone."""
    plain = statement("Deny", "s3:*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    old = statement("Deny", "s3:*", "*", Condition={"NumericLessThan": {"s3:TlsVersion": 1.2}})
    today = Call(
        "s3:GetObject", "arn:aws:s3:::bucket/models/a", {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    )
    assert is_allowed(today, [statement()], [plain, old])


def test_what_is_not_implemented_is_an_error():
    """An operator or element that isn't known here is never guessed at."""
    with pytest.raises(NotImplementedError, match="IpAddress"):
        statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    with pytest.raises(NotImplementedError, match="NotAction"):
        statement_of({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})


@given(st.text(min_size=1, max_size=30))
def test_every_key_below_a_prefix_matches_its_pattern(rest):
    """`prefix/*` covers whatever follows, whichever characters it is made of."""
    assert is_allowed(get(f"models/{rest}"), [statement()])
