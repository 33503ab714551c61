"""Files of rows sent to the API in parts, from where an earlier attempt ended."""
