"""What runs on the operator's side: the CDK app, the local cloud, the command line and the simulations."""
