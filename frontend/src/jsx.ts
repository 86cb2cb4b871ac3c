/** What JSX is compiled to calls of; the build puts it into scope in each module. */
export { Fragment, h } from "preact";
