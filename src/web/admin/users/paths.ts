/** The path of the page Users and keys; each user's page is below it. */
export const USERS = "/admin/users";
export const userPath = (id: string): string => `${USERS}/${encodeURIComponent(id)}`;
