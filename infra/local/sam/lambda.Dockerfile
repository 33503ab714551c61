# An image as Lambda runs it, which SAM doesn't: the handler belongs to an unprivileged user that can write to /tmp alone.
ARG BASE
FROM ${BASE}
COPY unprivileged.py /var/runtime/
RUN mv /var/runtime/bootstrap /var/runtime/bootstrap.privileged \
 && printf '#!/bin/sh\nexec python3 /var/runtime/unprivileged.py /var/runtime/bootstrap.privileged "$@"\n' > /var/runtime/bootstrap \
 && chmod 755 /var/runtime/bootstrap \
 && chmod -f o-w /var/tmp /run/lock || true
