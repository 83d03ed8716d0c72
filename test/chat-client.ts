// The socket client of the kit, at the place where the tests of this repository look for it.

export { createChatClient, type ChatClient } from '../testing/candor/chat-client.ts';
