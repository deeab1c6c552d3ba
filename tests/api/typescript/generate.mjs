// Writes the client's types: generate.mjs OPENAPI.json OUTPUT.ts
// Octets are Blobs, in the way that openapi-typescript's documentation shows for `format: binary`.
import fs from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const [document, output] = process.argv.slice(2);
const blob = ts.factory.createTypeReferenceNode(ts.factory.createIdentifier("Blob"));
const transform = (schema) => (schema.format === "binary" ? blob : undefined);
const types = await openapiTS(JSON.parse(fs.readFileSync(document, "utf8")), { transform });
fs.writeFileSync(output, astToString(types));
