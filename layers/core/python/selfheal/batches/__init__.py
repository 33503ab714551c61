"""Files of rows that are to be answered: from cells to requests, and from answers to cells."""
