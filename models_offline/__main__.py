"""`python -m models_offline`: one numerical thread per process, then the command line."""

import sys

from models_offline.threads import limit_threads

if __name__ == "__main__":
    limit_threads()
    from models_offline.cli import main

    sys.exit(main())
