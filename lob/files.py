"""Files: written whole or not at all. Owns how a new file takes the place of an earlier one; knows no format."""
import os
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path, error_type, refusal="cannot be written"):
    """Yield the path to write to, beside that of the file, which it replaces at the end; the folder is made if it is not there.

    Of a link what it leads to is replaced, and what is no file, a pipe or a device, is written to as it is. Raises error_type with the path, the refusal and
    what the system says if the disk refuses. Then, and if anything else goes wrong, an earlier file is as it was.
    """
    place = Path(os.path.realpath(path))
    is_replaced = os.path.isfile(place) or not os.path.exists(place)
    part = place.with_name(place.name + ".part") if is_replaced else place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if is_replaced:
            os.replace(part, place)
    except OSError as error:
        raise error_type(f"{path}: {refusal}: {error.strerror or error}") from error
    finally:
        if is_replaced:
            with suppress(OSError):
                part.unlink()
