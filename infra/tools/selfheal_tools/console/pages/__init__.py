"""What stands on each page: from what was read to a record that a template shows. No stores, no clock, no HTTP."""
