import contextlib
import resource


@contextlib.contextmanager
def largest_file(size):
    """Lets no file grow larger, as on a full disk; the error is EFBIG then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
