"""The local cloud's functions in containers: AWS's SAM command line runs the image that is deployed, and the zips.

    with container_engine(folder, networked=True) as engine:
        images = built(engine, assembly, folder)              # `sam build` of the synthesised template
    with container_engine(folder, networked=False) as engine:
        hosting = SamHosting(engine, images, folder)
        with LocalCloud.deploy(assembly, start=now, work_dir=folder, hosting=hosting) as cloud:
            ...                                               # as with processes, but functions go by the real clock

Where no engine runs, one of our own is started by root on Debian. Its containers run in a network namespace of this
process that leads nowhere: they reach the local cloud, and nothing else. What SAM doesn't do as Lambda does it is done
here: handlers run as an unprivileged user that can write nowhere but in /tmp.
"""

from infra.local.sam.engine import Engine, NoEngine, container_engine
from infra.local.sam.hosting import SamHosting
from infra.local.sam.images import Images, assembly_for_sam, built

__all__ = ["Engine", "Images", "NoEngine", "SamHosting", "assembly_for_sam", "built", "container_engine"]
