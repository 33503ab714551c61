"""Replay somebody's history: what would each policy of retraining have made of it?"""
