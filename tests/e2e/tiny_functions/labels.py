from urllib.parse import unquote_plus

from selfheal.composition import settings_of, stores_of
from selfheal.settings import LabelsSettings


def handler(event, _):
    stores = stores_of(settings_of(LabelsSettings))
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        if key.endswith("broken.csv"):
            raise ValueError("can't read it")
        stores.data.put(key.replace("incoming", "accepted"), stores.data.get(key).body)
