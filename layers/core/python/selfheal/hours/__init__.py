"""Hours of the prediction log that one function can't hold: how large they are, and what lies in two of their parts."""
