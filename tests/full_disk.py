"""A disk that is full, as far as one process can have it."""
import resource
from contextlib import contextmanager


@contextmanager
def file_size_limit(limit_bytes):
    """Let no file grow beyond a number of bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
