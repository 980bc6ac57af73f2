"""`python -m local.pubsub --db FILE --port P`: serve on 127.0.0.1 until a signal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import signal
from pathlib import Path

import grpc.aio

from local.pubsub.database import connect
from local.pubsub.messages import Messages
from local.pubsub.push import Duplicates, PushPump
from local.pubsub.resources import Subscriptions, Topics
from local.pubsub.service import Service, handlers


async def serve(path: str, port: int, duplicates: Duplicates) -> None:
    """Serve a database file (or ":memory:") until SIGTERM or SIGINT, or until delivery breaks."""
    database = connect(path)
    topics = Topics(database)
    subscriptions = Subscriptions(database, topics)
    messages = Messages(database, topics, subscriptions, random.Random(duplicates.seed))
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(handlers(Service(topics, subscriptions, messages)))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    pump = asyncio.create_task(PushPump(subscriptions, messages, duplicates).run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, pump.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await pump
    finally:
        await server.stop(0.5)
        database.close()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.pubsub", description="Pub/Sub emulator")
    parser.add_argument("--db", default=":memory:", help="SQLite file, made when missing (default: in memory)")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--duplicate", type=float, default=0.0, metavar="P", help="share of pushes delivered twice")
    parser.add_argument("--seed", type=int, default=0, help="decides which pushes are doubled, and the jitter")
    arguments = parser.parse_args()
    if arguments.db != ":memory:":
        Path(arguments.db).parent.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(arguments.db, arguments.port, Duplicates(arguments.duplicate, arguments.seed)))


if __name__ == "__main__":
    main()
