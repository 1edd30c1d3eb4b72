"""The tape: what happened, one row an event, and everything that can be rebuilt from it."""
