// Registering, proving an address, and passwords: nothing here tells who has an account.
import { z } from 'zod';
import { MAILBOX } from '#kit/email';
import { refuse } from '#kit/errors';
import { type Api, accepted, api, noContent } from '#kit/http/api';
import { hashPassword, isPassword } from './password.ts';
import { NewPassword, weakness } from './password-rules.ts';
import type { AuthParts } from './routes.ts';
import { NO_STORE } from './tokens.ts';

const Email = z.string().max(254).regex(MAILBOX);
const Token = z.string().min(1).max(200);
const Register = z.strictObject({ email: Email, password: NewPassword, name: z.string().trim().min(1).max(200) });
const Asked = z.strictObject({ message: z.string() }).meta({ id: 'MailAsked' });
const ASKED = { message: 'A mail is on its way to the address, if there is anything to say.' };

/** `/auth/register`, `/auth/verify` and `/auth/password`. */
export function accountRoutes({ accounts, errands, revocations, clock, owed }: AuthParts): Api {
  return api('/auth', { tag: 'auth' })
    .post(
      '/register',
      {
        summary: 'Ask for an account',
        description: 'The same answer whether or not the address is known; what follows is in the mail.',
        access: 'anyone',
        takes: Register,
        answers: { 202: Asked },
        refusals: ['PASSWORD_TOO_COMMON'],
      },
      async ({ body: { email, password, name } }) => {
        const weak = weakness(password, email);
        if (weak) return weak;
        const hash = await hashPassword(password);
        const accountId = await accounts.idByEmail(email);
        const applicant = { email, name, password: hash };
        owed(
          await errands.owe(
            accountId ? { purpose: 'known', email, accountId } : { purpose: 'verify', email, applicant },
          ),
        );
        return accepted(ASKED, { headers: NO_STORE });
      },
    )
    .post(
      '/verify',
      {
        summary: 'Prove an address by the token of its mail',
        description: 'The account exists from now on. A token is good once, for 24 hours.',
        access: 'anyone',
        takes: z.strictObject({ token: Token }),
        answers: { 204: null },
        refusals: ['MAIL_TOKEN_INVALID'],
      },
      async ({ body }) => {
        const errand = await errands.byToken(body.token, 'verify');
        const applicant = errand?.stored.value.applicant;
        const opened = errand && applicant && (await errands.use(errand, accounts.opening(applicant)));
        return opened ? noContent({ headers: NO_STORE }) : refuse('MAIL_TOKEN_INVALID');
      },
    )
    .post(
      '/password/forgot',
      {
        summary: 'Ask for a mail with which a password can be replaced',
        access: 'anyone',
        takes: z.strictObject({ email: Email }),
        answers: { 202: Asked },
      },
      async ({ body: { email } }) => {
        const accountId = await accounts.idByEmail(email);
        owed(await errands.owe({ purpose: accountId ? 'reset' : 'nothing', email, accountId }));
        return accepted(ASKED, { headers: NO_STORE });
      },
    )
    .post(
      '/password/reset',
      {
        summary: 'Replace a forgotten password by the token of the mail',
        description: 'Ends all sessions of the account.',
        access: 'anyone',
        takes: z.strictObject({ token: Token, password: NewPassword }),
        answers: { 204: null },
        refusals: ['MAIL_TOKEN_INVALID', 'PASSWORD_TOO_COMMON'],
      },
      async ({ body }) => {
        const errand = await errands.byToken(body.token, 'reset');
        const { accountId, email } = errand?.stored.value ?? {};
        if (!errand || accountId === undefined || email === undefined) return refuse('MAIL_TOKEN_INVALID');
        const weak = weakness(body.password, email);
        if (weak) return weak;
        const write = await accounts.replacing(accountId, await hashPassword(body.password), clock());
        if (!write || !(await errands.use(errand, [write]))) return refuse('MAIL_TOKEN_INVALID');
        await revocations.add({ subject: accountId });
        owed(await errands.owe({ purpose: 'replaced', email, accountId }));
        return noContent({ headers: NO_STORE });
      },
    )
    .put(
      '/password',
      {
        summary: 'Replace the own password',
        description: 'Ends all other sessions; this one goes on with a refresh.',
        access: 'caller',
        takes: z.strictObject({ password: z.string().min(1).max(1_024), newPassword: NewPassword }),
        answers: { 204: null },
        refusals: ['CREDENTIALS_INVALID', 'PASSWORD_TOO_COMMON'],
      },
      async ({ body, caller }) => {
        const account = caller.clientId === undefined ? await accounts.byId(caller.id) : undefined;
        if (!account) return refuse('FORBIDDEN');
        if (!(await isPassword(body.password, account.password))) return refuse('CREDENTIALS_INVALID');
        const weak = weakness(body.newPassword, account.email);
        if (weak) return weak;
        await accounts.replace(account.id, await hashPassword(body.newPassword), clock(), caller.session);
        await revocations.add({ subject: account.id });
        owed(await errands.owe({ purpose: 'replaced', email: account.email, accountId: account.id }));
        return noContent({ headers: NO_STORE });
      },
    );
}
