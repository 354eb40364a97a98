// A client of Marquee's API whose types are those of docs/openapi.json: paths, parameters, bodies, answers, problems.
import createClient, { type ClientOptions } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

export const marquee = (options: ClientOptions) => createClient<paths>(options);
