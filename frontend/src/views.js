/** Name of a view, as a widget's state has it -> the class that shows it. */
export const views = new Map();

/** Name of a model without a view, such as a link between two widgets -> what works it. */
export const workers = new Map();
