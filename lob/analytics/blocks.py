"""Blocks: standard errors of means whose observations share their future.

Observations close in time see the same moves of the mid. So each block of time, at least as long as the horizon, is one observation, correlated with the
next since what comes late in the one looks into the other. With w the weight, y the value, m its weighted mean and u_g = sum of w (y - m) in block g of G,

    standard_error^2 = G / (G - 1) * max(sum u_g^2, sum u_g^2 + 2 sum u_g u_{g+1}) / (sum w)^2

Sources: Cameron and Miller (2015), the cluster-robust variance and its small-sample factor; Hansen and Hodrick (1980), the covariance of neighbours whose
forecast horizons overlap.
"""
BLOCK_MIN_NS = 1_000_000_000


def block_means(frame, by, values, horizon_ns=0):
    """Return weighted means by group with their standard errors, in order of the groups, as a polars frame.

    frame: with time_ns, weight and the columns named; rows in which a value is null are left out of all. by: names of columns. values: names of columns.
    horizon_ns: how far an observation looks ahead, a number or the name of a column; a block is that long, at least a second.
    Columns: by, count, weight, blocks, and for each value its mean and {value}_error, null with fewer than two blocks.
    """
    import polars as pl

    by = list(by)
    horizon = pl.col(horizon_ns) if isinstance(horizon_ns, str) else pl.lit(int(horizon_ns))
    weight = pl.col("weight").cast(pl.Float64)
    blocks = (
        frame.lazy().drop_nulls(values)
        .group_by(*by, block=pl.col("time_ns") // pl.max_horizontal(horizon, BLOCK_MIN_NS), maintain_order=True)
        .agg(pl.len().alias("count"), weight.sum(), *((weight * pl.col(name)).sum().alias(name) for name in values))
        .sort(*by, "block").collect()
    )
    groups = by or [pl.lit(1).alias("all")]
    return (
        _with_residuals(blocks, by, values).group_by(groups, maintain_order=True)
        .agg(pl.col("count", "weight").sum(), pl.len().cast(pl.Int64).alias("blocks"), *(part for name in values for part in _sums(name)))
        .with_columns(*(part for name in values for part in _mean_and_error(name)))
        .select(*by, "count", "weight", "blocks", *(column for name in values for column in (name, f"{name}_error")))
    )


def _with_residuals(blocks, by, values):
    """Return the blocks with u_g of every value, and u_g u_{g+1} where the next block follows at once."""
    import polars as pl

    def over(expression):
        return expression.over(by) if by else expression

    residuals = [(pl.col(name) - over(pl.col(name).sum()) / over(pl.col("weight").sum()) * pl.col("weight")).alias(f"{name}_u") for name in values]
    is_next = over(pl.col("block").shift(-1)) == pl.col("block") + 1
    shared = [pl.when(is_next).then(pl.col(f"{name}_u") * over(pl.col(f"{name}_u").shift(-1))).otherwise(0.0).alias(f"{name}_s") for name in values]
    return blocks.with_columns(residuals).with_columns(shared)


def _sums(name):
    import polars as pl

    return [pl.col(name).sum(), (pl.col(f"{name}_u") ** 2).sum().alias(f"{name}_own"), pl.col(f"{name}_s").sum().alias(f"{name}_shared")]


def _mean_and_error(name):
    import polars as pl

    count, own, weight = pl.col("blocks").cast(pl.Float64), pl.col(f"{name}_own"), pl.col("weight")
    variance = count / (count - 1) * pl.max_horizontal(own, own + 2 * pl.col(f"{name}_shared"))
    return [pl.when(weight != 0).then(pl.col(name) / weight), pl.when(pl.col("blocks") > 1).then(variance.sqrt() / weight).alias(f"{name}_error")]
