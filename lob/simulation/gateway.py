"""The gateway: the one door of a venue through which requests pass one after another.

Owns the queue there: a request that has come over its sender's link waits until those before it have passed, then passes in gateway_ns. The busier the venue,
the later all are: a queue with one server and a constant time of service (M/D/1 under Poisson arrivals; Erlang, 1909). Without a gateway_ns there is none.
"""
from lob.errors import ScenarioError
from lob.integers import whole
from lob.jit import jit
from lob.simulation import calendar
from lob.simulation.world import Event, calendar_of, request_of, venue_of

REQUEST = int(Event.REQUEST)
GATEWAY_MAX_NS = 1_000_000_000


def checked_gateway_ns(gateway_ns, where="venue"):
    """Return the time of service. Raises ScenarioError if it is none."""
    service_ns = whole(gateway_ns, 0, GATEWAY_MAX_NS)
    if service_ns is None:
        raise ScenarioError(f"{where}.gateway_ns must be a whole number of nanoseconds from 0 to a second, was {gateway_ns!r}")
    return service_ns


@jit
def pass_gateway(world, slot):
    """Plan when a request that has just come to the gateway reaches the exchange."""
    request = request_of(world, slot)
    venue = venue_of(world, request.book)
    venue.busy_until_ns = max(venue.busy_until_ns, world.now_ns) + venue.gateway_ns
    request.time_ns = venue.busy_until_ns
    calendar.add(calendar_of(world), venue.busy_until_ns, REQUEST, slot)
