"""Every rule of the market holds for both books."""
import pytest

from lob.exchange.order_book import OrderBook
from lob.exchange.reference import ReferenceBook


@pytest.fixture(scope="session", params=[ReferenceBook, OrderBook])
def make_book(request):
    """Return the class of a book."""
    return request.param


@pytest.fixture
def book(make_book):
    """Return an empty book."""
    return make_book()
