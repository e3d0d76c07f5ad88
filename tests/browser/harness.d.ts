// What harness/harness.js puts on the page.
declare const medley: typeof import('@medley/web');
declare const slim: typeof import('@medley/web/slim');
declare function outcome(promise: Promise<unknown>): Promise<string>;
// What a test exposes to it.
declare function someWeightsAreRead(): void;
