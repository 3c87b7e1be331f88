// Pictures that a job is to start from. The browser uploads them and gets names (POST /sdapi/v1/inputs); what a field
// holds is one text: such a name, or the address of a picture that a job has drawn, which is not sent again.

import { ask } from "./rest.js";

const INPUTS = "/sdapi/v1/inputs";

// A file or blob with a picture -> {name, width, height, url}. Throws an Error with the server's words.
export const uploadPicture = (blob) => ask("POST", INPUTS, blob);

// Where a browser finds what a field names.
export const pictureUrl = (source) => (isAddress(source) ? source : `${INPUTS}/${encodeURIComponent(source)}`);

const isAddress = (source) => source.startsWith("/sdapi/");
