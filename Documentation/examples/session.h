/* SPDX-License-Identifier: GPL-2.0 */
/* Example: a structure that needs another member. */
struct session {
	int id;
};

struct session *session_open(int id);
int session_failed(struct session *s);
void session_login(struct session *s);
void session_close(struct session *s);
