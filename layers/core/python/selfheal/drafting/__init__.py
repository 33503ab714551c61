"""A first contract for somebody's own file, with comments that say what to check."""

from selfheal.drafting.draft import Draft, draft_contract

__all__ = ["Draft", "draft_contract"]
