/**
 * The other side of `embed/embed.html`: for a page that has it in a frame.
 *
 * @packageDocumentation
 */

export { EMBED_VERSION, type EmbedImage, type FromFrame, type ToFrame } from './embed-protocol.js';
