"""Errors: what a person's bad input raises. Each names the place, the rule and the value."""


class LobError(Exception):
    """A user's mistake, or something outside that stopped the work."""


class ScenarioError(LobError):
    """A scenario, an agent's parameter or a simulation's setting that cannot be used."""


class FeedError(LobError):
    """A recorded file that cannot be read: names file, row and rule."""


class TapeError(LobError):
    """A tape that cannot be read, written or analysed."""


class AgentError(LobError):
    """An agent's own code failed, or cannot be compiled: names agent, hook and simulated time.

    run: the Run up to there, if one was going on, else None.
    """

    run = None
