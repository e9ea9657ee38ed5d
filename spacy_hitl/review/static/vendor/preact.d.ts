// What of the bundle our modules use, for the type checker. Not sent to a browser.
export class Component { props: any; constructor(props?: any); render(props: any): any; shouldComponentUpdate(next: any): boolean; }
export const Fragment: any;
export function render(what: any, where: Element): void;
export function html(parts: TemplateStringsArray, ...values: any[]): any;
export function useEffect(run: () => void | (() => void), inputs?: any[]): void;
export function useLayoutEffect(run: () => void | (() => void), inputs?: any[]): void;
export function useMemo<T>(make: () => T, inputs: any[]): T;
export function useRef<T>(value: T): { current: T };
export function useState<T>(value: T): [T, (value: T) => void];
export interface Signal<T> { value: T; }
export function signal<T>(value: T): Signal<T>;
export function computed<T>(make: () => T): { readonly value: T };
export function effect(run: () => void): () => void;
export function batch(run: () => void): void;
export function untracked<T>(run: () => T): T;
