"""Runs in the container: become the user that Lambda runs handlers as, then the runtime that the arguments name."""

import os
import sys

USER, GROUP = 993, 990
# Docker's own, which every user may write to; Lambda has none.
SHARED = ("/dev/shm", "/dev/mqueue")  # noqa: S108 - the places themselves are meant

if __name__ == "__main__":
    for place in SHARED:
        os.chmod(place, 0o555)  # noqa: PTH101, S103 - imports nothing: a part of each cold start
    os.setgroups([])
    os.setgid(GROUP)
    os.setuid(USER)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the runtime of the image
