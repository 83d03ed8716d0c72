// Phrasing content as spans. Nothing is hidden: a link says where it leads, an image what it is, HTML stands as text.

import type { PhrasingContent } from 'mdast';
import { span, type Role, type Span } from '../screen/row.ts';

export function toSpans(nodes: readonly PhrasingContent[], roles: readonly Role[] = []): readonly Span[] {
  return nodes.flatMap((node) => one(node, roles));
}

function one(node: PhrasingContent, roles: readonly Role[]): readonly Span[] {
  switch (node.type) {
    case 'text':
      // A line break in the source is a space; where rows end is the terminal's width.
      return [{ text: node.value.replaceAll('\n', ' '), roles }];
    case 'strong':
      return toSpans(node.children, [...roles, 'strong']);
    case 'emphasis':
      return toSpans(node.children, [...roles, 'emphasis']);
    case 'delete':
      return toSpans(node.children, [...roles, 'deleted']);
    case 'inlineCode':
      return [{ text: `\`${node.value}\``, roles: [...roles, 'code'] }];
    case 'break':
      return [{ text: '\n', roles }];
    case 'link': {
      const label = toSpans(node.children, [...roles, 'link']);
      const shown = label.map(({ text }) => text).join('');
      const isItself = shown === node.url || `mailto:${shown}` === node.url || `http://${shown}` === node.url;
      return isItself ? label : [...label, span(` (${node.url})`, 'quiet')];
    }
    case 'linkReference':
      return [...toSpans(node.children, roles), span(` [${node.label ?? node.identifier}]`, 'quiet')];
    case 'image':
      return [span(`[image: ${node.alt ?? ''}] (${node.url})`, 'quiet')];
    case 'imageReference':
      return [span(`[image: ${node.alt ?? ''}] [${node.label ?? node.identifier}]`, 'quiet')];
    case 'footnoteReference':
      return [span(`[^${node.label ?? node.identifier}]`, 'quiet')];
    case 'html':
      return [{ text: node.value, roles }];
  }
}
