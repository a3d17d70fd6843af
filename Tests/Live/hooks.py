"""What schemathesis learns of the platform's media types: lines of JSON are sent as they stand."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/ndjson")
def lines(context, value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()
