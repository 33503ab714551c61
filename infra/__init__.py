"""The CDK app, and the local cloud that runs what it deploys; the operator's tools lie in `tools`."""
