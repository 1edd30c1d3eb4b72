"""Files: written whole or not at all. Owns how a new file takes the place of an earlier one; knows no format."""
import os
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path, error_type, refusal="cannot be written"):
    """Yield the path to write to, beside that of the file, which it replaces at the end; the folder is made if it is not there.

    Raises error_type with the path, the refusal and what the system says if the disk refuses. Then, and if anything else goes wrong, an earlier file is as it
    was.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise error_type(f"{path}: {refusal}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()
