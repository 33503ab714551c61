"""What a healing came to, the bet that watches a promotion, and each decision in a sentence."""
