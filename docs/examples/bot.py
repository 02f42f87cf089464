"""
A bot that posts the summary of each meeting of some rooms: ``python bot.py ROOM...``.

It follows the rooms, waits for the summary of each meeting that ends, and posts it to the chat at
``CHAT_URL`` (an incoming webhook of Slack, Mattermost or a similar chat). One file per room in the
folder ``BOT_STATE`` stores the checkpoint and the meetings whose summaries are still to be posted.
After a crash, a summary may be posted twice, but none is skipped.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from pathlib import Path

import aiohttp
from attrs import asdict, define, field

from videosdk_transcripts import TranscriptsClient, VideoSDKTranscriptsError, WaitError

log = logging.getLogger("bot")


@define
class State:
    """The checkpoint of a room, and the meetings whose summaries have not been posted yet."""

    path: Path
    checkpoint: str | None = None
    pending: list[str] = field(factory=list)

    @classmethod
    def load(cls, path: Path) -> "State":
        """Read the file, if there is one."""
        return cls(path, **json.loads(path.read_text())) if path.exists() else cls(path)

    def save(self) -> None:
        """Write the file; a crash leaves the old file or the new one."""
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self, filter=lambda key, _: key.name != "path")))
        part.replace(self.path)


@define
class Bot:
    """The bot in one room."""

    client: TranscriptsClient
    chat: aiohttp.ClientSession
    room_id: str
    state: State

    async def run(self) -> None:
        """Follow the room until the bot is stopped."""
        async with asyncio.TaskGroup() as group:
            for transcription_id in self.state.pending:
                group.create_task(self.post_summary(transcription_id))
            if self.state.checkpoint is None:
                await self.begin()
            async with self.client.follow(self.room_id, resume=self.state.checkpoint) as changes:
                log.info("following %s", self.room_id)
                async for change in changes:
                    if change.kind == "finished":
                        self.state.pending.append(change.transcription.id)
                        group.create_task(self.post_summary(change.transcription.id))
                    changes.ack()
                    self.state.checkpoint = changes.checkpoint
                    self.state.save()

    async def begin(self) -> None:
        """Record the meetings so far, so that only later ones are posted."""
        async with self.client.follow(self.room_id, once=True) as changes:
            async for _ in changes:
                pass
        self.state.checkpoint = changes.checkpoint
        self.state.save()

    async def post_summary(self, transcription_id: str) -> None:
        """Wait for the summary of a meeting, post it, and remove it from the list."""
        while True:
            try:
                t = await self.client.wait_until_ready(transcription_id, summary=True)
                await self.post(f"{t.room_id}, {t.start}:\n{await self.client.fetch_summary(t)}")
                break
            except WaitError as error:
                log.warning("there is no summary: %s", error)
                break
            except (VideoSDKTranscriptsError, aiohttp.ClientError) as error:
                log.warning("not posted, next attempt in a minute: %s", error)
                await asyncio.sleep(60)
        self.state.pending.remove(transcription_id)
        self.state.save()

    async def post(self, text: str) -> None:
        """Post a message to the chat."""
        async with self.chat.post(os.environ["CHAT_URL"], json={"text": text}) as response:
            response.raise_for_status()
            log.info("posted %d characters", len(text))


async def main(rooms: list[str]) -> None:
    """Run one bot per room until SIGTERM or Ctrl-C."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    folder = Path(os.environ.get("BOT_STATE", "."))
    timeout = aiohttp.ClientTimeout(total=30)
    async with (
        TranscriptsClient() as client,
        aiohttp.ClientSession(timeout=timeout) as chat,
        asyncio.TaskGroup() as group,
    ):
        for name in rooms:
            room_id = await client.resolve_room(name)
            state = State.load(folder / f"{room_id}.json")
            group.create_task(Bot(client, chat, room_id, state).run())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(main(sys.argv[1:]))
