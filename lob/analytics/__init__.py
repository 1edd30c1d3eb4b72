"""Analytics: pure functions on tapes. No state, no files; every statistic has its source and its unit."""
