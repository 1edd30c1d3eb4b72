# %% [markdown]
# # From a file to a decision
#
# `python docs/from_file_to_decision.py [FILE [FROM_SECONDS TO_SECONDS]]`, or cell by cell in an editor that knows percent cells. FILE is a recorded day in any
# format that `lob replay` reads; without one, ten minutes of a simulated market is recorded first, so that the page runs anywhere.
#
# The question: with what parameters, if any, should this maker quote in this market? Choose on the first half of the day, judge on the second.

# %%
import sys
from pathlib import Path

import polars as pl

from agents import SymmetricMaker
from lob import Latency, Simulation, feeds, sweep

SECOND_NS = 10**9
GRID = {"half_spread_ticks": [0.5, 1.5, 2.5], "inventory_max_lots": [20, 100]}
LATENCY = Latency(feed_ns=50_000, order_ns=50_000)
HORIZON = "realised_10s"

# %% [markdown]
# ## The day

# %%
if len(sys.argv) > 1:
    day = feeds.read(Path(sys.argv[1]))
else:
    from agents import InformedTrader, NoiseTrader
    from lob import Fundamental
    from lob.tape.recorded import feed_of

    people = [NoiseTrader(count=60), InformedTrader(count=2), SymmetricMaker(count=3, latency=LATENCY)]
    market = Simulation(people, fundamental=Fundamental(volatility_ticks=0.5), seed=11).run(minutes=10, progress=False)
    day = feed_of(market.tape, name="SIMULATED")
if len(sys.argv) > 3:
    day = day.between(int(float(sys.argv[2]) * SECOND_NS), int(float(sys.argv[3]) * SECOND_NS))
middle_ns = (day.start_ns + day.end_ns) // 2
first_half, second_half = day.between(None, middle_ns), day.between(middle_ns, None)
print(f"{day.name}: {len(day.rows):,} rows, {(day.end_ns - day.start_ns) / SECOND_NS:,.0f} s, one tick is {day.tick_size}")

# %% [markdown]
# ## The grid: every choice of parameters on the first half, on all cores
#
# `realised_10s` is what a fill is still worth ten seconds later, in ticks a lot: the spread that was earned less what the market took back. A choice that made
# money with a negative markout was lucky with its inventory.

# %%
table = sweep(SymmetricMaker, GRID, first_half, latency=LATENCY, progress=False)
shown = ["half_spread_ticks", "inventory_max_lots", "fills", "pnl_ticks", "realised_1s", HORIZON]
with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
    print(table.select(shown).sort(HORIZON, descending=True, nulls_last=True))

# %% [markdown]
# ## The markouts of the best, on the half that it has not seen, under two rules
#
# Under `passive` history does not change; under `displace` each lot trades once (docs/execution-rules.md). What holds under both does not hang on the rule.

# %%
filled = table.filter(pl.col("fills") > 0)
assert filled.height, "no choice was ever filled: look at other distances from the mid, or at a longer day"
best = filled.sort(HORIZON, descending=True, nulls_last=True).row(0, named=True)
chosen = {name: best[name] for name in GRID}
curves = {}
for rule in ("passive", "displace"):
    run = Simulation([SymmetricMaker(name="ours", latency=LATENCY, **chosen)], feed=second_half, execution=rule).run(progress=False)
    curves[rule] = run.tape.markouts(by=["agent"]).filter(pl.col("agent") == "ours").with_columns(rule=pl.lit(rule))
curve = pl.concat(curves.values()).select("rule", "horizon_s", "fills", "effective", "impact", "realised", "standard_error")
print(f"\n{chosen} on the second half:")
with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
    print(curve)

# %% [markdown]
# ## The decision
#
# Quote if ten seconds after its fills the maker still has more than nothing, by two standard errors, under either rule. A markout that cannot be told from zero
# is no reason to quote; nor is one that the fee of a fill eats, so compare it with that too.

# %%
at_ten = curve.filter(pl.col("horizon_s") == 10.0).with_columns(low=pl.col("realised") - 2 * pl.col("standard_error"))
is_worth_it = at_ten.height == len(curves) and at_ten["low"].null_count() == 0 and bool((at_ten["low"] > 0).all())
if is_worth_it:
    decision = f"quote with {chosen}: its fills keep at least {at_ten['low'].min():.2f} ticks a lot after 10 s"
elif at_ten["low"].null_count() or at_ten.height < len(curves):
    decision = "do not quote yet: too few fills in the second half to tell; replay a longer day"
else:
    decision = f"do not quote: the best choice of the grid may keep as little as {at_ten['low'].min():.2f} ticks a lot after 10 s"
print(f"\ndecision: {decision}")
