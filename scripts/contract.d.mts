/** The text of the types of the REST contract. */
export function makeTypes(): Promise<string>;
