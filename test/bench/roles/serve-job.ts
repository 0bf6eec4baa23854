import { AGREED_MESS, openRequestReply, SpreadSidecar } from 'spread-sidecar-client';
import type { Conversation } from './conversation.js';
import type { ServeOrder } from './order.js';

export async function serve({ target, group, bare }: ServeOrder, talk: Conversation): Promise<void> {
  const sidecar = new SpreadSidecar({ target });
  const calls = await openRequestReply(sidecar);
  await calls.serve(group, ({ payload }) => payload);
  const mailbox = await sidecar.connect();
  await mailbox.join(bare, { awaitView: true });
  const sender = mailbox.sender();
  const reflecting = (async () => {
    for await (const event of mailbox)
      if (event.kind === 'regular') void sender.send(AGREED_MESS, event.sender, event.payload);
  })();
  await talk.readyAndGo();
  await talk.next('stop');
  talk.answer(0);
  await sidecar.close();
  await reflecting.catch(() => {});
}
