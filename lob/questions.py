"""Questions: what a user can ask of a run or of a tape, by name.

Owns the list of names and nothing else: each answer is given by a module of `analytics`, or drawn by `report`, which is imported when the question is asked.
What a table is, its units and its sources are said there. A number that the tape cannot give is null, and a column `note` says why.
"""


class Questions:
    """The questions that a Run and a Tape share; a Run asks its tape. All answers are polars frames, or a record of them."""

    def fills(self, **settings):
        """Return every fill of agents' resting orders with its markouts: see `analytics.markouts.fill_markouts`."""
        from lob.analytics.markouts import fill_markouts

        return fill_markouts(self._asked, **settings)

    def markouts(self, by=("agent",), **settings):
        """Return mean markouts by agent, kind, role, side, counterparty_kind, place, age, left or race: see `analytics.markouts.markout_table`."""
        from lob.analytics.markouts import markout_table

        return markout_table(self._asked, by, **settings)

    def winners_curse(self, by=("agent",), **settings):
        """Return the drift of the mid after filled orders and after unfilled ones: see `analytics.curse.winners_curse`."""
        from lob.analytics.curse import winners_curse

        return winners_curse(self._asked, by, **settings)

    def profit(self, **settings):
        """Return what everybody made: see `analytics.profit.profit_and_loss`."""
        from lob.analytics.profit import profit_and_loss

        return profit_and_loss(self._asked, **settings)

    def decomposition(self, **settings):
        """Return profit as spread - adverse selection + inventory - fees, exactly: see `analytics.decomposition.decomposition`."""
        from lob.analytics.decomposition import decomposition

        return decomposition(self._asked, **settings)

    def pressure(self, **settings):
        """Return what was eaten, pulled and added at the touch, window by window: see `analytics.pressure.pressure`."""
        from lob.analytics.pressure import pressure

        return pressure(self._asked, **settings)

    def race(self, **settings):
        """Return the forecasts of the next mid move and what became of them, and the causes of every move: see `analytics.race.Race`."""
        from lob.analytics.race import race

        return race(self._asked, **settings)

    def causes(self, by=("agent",), **settings):
        """Return how often and how far each cause moved the mid, by who did it: see `analytics.causes.mid_causes`."""
        from lob.analytics.causes import mid_causes

        return mid_causes(self._asked, by, **settings)

    def queues(self, **settings):
        """Return how long orders wait and what their place is worth: see `analytics.queues.Queues`."""
        from lob.analytics.queues import queues

        return queues(self._asked, **settings)

    def depth_behaviour(self, **settings):
        """Return refills, returns of levels, lives of orders, detection of what is not shown: see `analytics.depth_behaviour.DepthBehaviour`."""
        from lob.analytics.depth_behaviour import depth_behaviour

        return depth_behaviour(self._asked, **settings)

    def flow(self, **settings):
        """Return order flow imbalance, bursts, the memory of signs and metaorders: see `analytics.flow.Flow`."""
        from lob.analytics.flow import flow

        return flow(self._asked, **settings)

    def latency_losses(self, by=("agent",), **settings):
        """Return cancels that came too late and quotes that were stale when hit: see `analytics.latency.LatencyLosses`."""
        from lob.analytics.latency import latency_losses

        return latency_losses(self._asked, by, **settings)

    def stylised(self, **settings):
        """Return the stylised facts beside published ranges, and profiles: see `analytics.stylised.StylisedFacts`."""
        from lob.analytics.stylised import stylised

        return stylised(self._asked, **settings)

    def report(self, path, agent=None, book=0):
        """Write one page with all of it, a self-contained HTML file, and return its path: see `report.page`. agent: whose questions it answers first."""
        from lob.report.page import page, write_page

        return write_page(page(self._asked, agent, book), path)

    def figures(self, agent=None, book=0):
        """Return the charts of that page as plotly figures by name, {name: Figure}, which a notebook shows where they stand."""
        from lob.report.page import figures_of

        return figures_of(self._asked, agent, book)
