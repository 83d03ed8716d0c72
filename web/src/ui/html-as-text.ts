// A remark plugin. Raw HTML in an answer is text that the model wrote, so it is shown as a paragraph of text; without
// this a block of it would stand in the page as a bare string, outside of every paragraph.

interface MarkdownNode {
  type: string;
  value?: string;
  children?: MarkdownNode[];
}

export function htmlAsText() {
  return (root: MarkdownNode): void => toText(root);
}

function toText(node: MarkdownNode): void {
  if (node.children === undefined) return;
  node.children = node.children.map((child) => {
    toText(child);
    if (child.type !== 'html') return child;
    const text: MarkdownNode = { type: 'text', value: child.value ?? '' };
    return node.type === 'paragraph' ? text : { type: 'paragraph', children: [text] };
  });
}
