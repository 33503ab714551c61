"""How well the production model does: realised where labels are, estimated where they are not yet."""
