// Parse an AsyncAPI document with its files and print what the parser has to say: one JSON array.
import { createRequire } from "node:module";

const [, , modules, file] = process.argv;
const { Parser, fromFile } = createRequire(`${modules}/`)("@asyncapi/parser");
const { diagnostics } = await fromFile(new Parser(), file).parse();
console.log(JSON.stringify(diagnostics.map(({ code, message, path, severity }) => ({ code, message, path: path.join("."), severity }))));
