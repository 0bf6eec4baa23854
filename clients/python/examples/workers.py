"""Workers share jobs without a coordinator: python workers.py [target]

All workers receive jobs, results and views in the same order. Therefore each worker can compute the owner of
each job by itself, and all workers compute the same owner. The jobs of a worker that leaves are assigned again.
"""

import asyncio
import sys

from spread_sidecar import AGREED_MESS, RegularMessage, ViewMessage, aio

JOBS, RESULTS = "jobs", "results"
JOB, RESULT = 1, 2


async def work(mailbox: aio.Mailbox, most: int) -> None:
    """Does jobs. Leaves when it is assigned more than `most` jobs."""
    members: tuple[str, ...] = ()
    owners: dict[str, str] = {}
    turn = 0
    done = 0
    async for event in mailbox:
        unowned: list[str] = []
        if isinstance(event, ViewMessage):
            members = event.members
            # The unfinished jobs of workers that left are assigned again.
            unowned = [job for job, owner in owners.items() if owner not in members]
        elif isinstance(event, RegularMessage) and event.message_type == JOB:
            unowned = [event.text()]
        elif isinstance(event, RegularMessage):
            owners.pop(event.text(), None)
        for job in unowned:
            owners[job] = members[turn % len(members)]
            turn += 1
            if owners[job] != mailbox.private_group:
                continue
            if done == most:
                await mailbox.disconnect()
                return
            done += 1
            await mailbox.multigroup_multicast(AGREED_MESS, [JOBS, RESULTS], job, RESULT)


async def main(target: str) -> None:
    async with aio.SpreadSidecar(target=target) as sidecar:
        workers = []
        for number, most in enumerate((2, 12, 12)):
            mailbox = await sidecar.connect(private_name=f"worker{number}", on_name_conflict="SUFFIX")
            await mailbox.join(JOBS, await_view=True)
            workers.append((mailbox, asyncio.create_task(work(mailbox, most))))
        boss = await sidecar.connect(private_name="boss", on_name_conflict="SUFFIX")
        await boss.join(RESULTS, await_view=True)
        for number in range(12):
            await boss.multicast(AGREED_MESS, JOBS, f"job {number}", JOB)
        missing = 12
        async for event in boss:
            if isinstance(event, RegularMessage):
                print(f"{event.text()} was done by {event.sender}")
                missing -= 1
            if missing == 0:
                break
        for mailbox, worker in workers:
            await mailbox.disconnect()
            await worker


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4813"))
