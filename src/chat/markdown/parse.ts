// Markdown as the page reads it: CommonMark with GitHub's tables, lists of tasks, strikethrough and bare links.

import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

const extensions = [gfm()];
const mdastExtensions = [gfmFromMarkdown()];

export const parseMarkdown = (text: string): Root => fromMarkdown(text, { extensions, mdastExtensions });
