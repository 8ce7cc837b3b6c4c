// Mails about an account: sent while auth waits, which keeps what is owed. Their token is seen here and nowhere kept.
import { z } from 'zod';
import { type Api, internal, ok } from '#kit/http/api';
import { html } from './html.ts';
import { type Post, post } from './mailbox.ts';

const templates = ['verify', 'known', 'reset', 'replaced'] as const;
type AccountTemplate = (typeof templates)[number];

const Wish = z.strictObject({
  template: z.enum(templates),
  email: z.string().min(3).max(254),
  token: z.string().max(200).optional(),
});

const words: Readonly<Record<AccountTemplate, { readonly title: string; readonly text: string }>> = {
  verify: {
    title: 'Confirm your address',
    text: 'Somebody, probably you, asked for an account with this address. To confirm it, enter this token within 24 hours. If it was not you, do nothing.',
  },
  known: {
    title: 'You have an account already',
    text: 'Somebody, probably you, asked for an account with this address, which has one. If you forgot your password, ask for a new one. If it was not you, do nothing.',
  },
  reset: {
    title: 'Replace your password',
    text: 'Somebody, probably you, wants to replace the password of your account. To do so, enter this token within 24 hours. If it was not you, do nothing.',
  },
  replaced: {
    title: 'Your password was replaced',
    text: 'The password of your account was replaced, and its other sessions have ended. If it was not you, ask for a new password at once.',
  },
};

/** The mail. The name that somebody registered with is not in it: it may be anybody's words. */
export function accountMail({ template, token }: { template: AccountTemplate; token?: string | undefined }) {
  const { title, text } = words[template];
  const { text: body } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body style="font-family: sans-serif; color: #222; max-width: 40em">
<h1 style="font-size: 1.3em">${title}</h1>
<p>Hello,</p>
<p>${text}</p>
${token === undefined ? [] : [html`<p><code id="token">${token}</code></p>`]}
</body></html>
`;
  return { subject: title, body };
}

const Outcome = z.strictObject({ outcome: z.enum(['sent', 'ADDRESS_INVALID', 'ADDRESS_REFUSED']) });

/** `POST /internal/account-mails`: 200 once the mail server took it, or refused it for ever. */
export function accountMails(to: Post): Pick<Api, 'routes'> {
  return internal('/account-mails').post(
    '',
    { summary: 'Sends a mail about an account', takes: Wish, answers: { 200: Outcome } },
    async ({ body }) => ok({ outcome: await post(to, { to: body.email, ...accountMail(body) }) }),
  );
}
