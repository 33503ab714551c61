"""The CDK app. Importing this package is what puts the Node of the development environment on the path for CDK."""

from infra.cloud.node import use_packaged_node

use_packaged_node()
