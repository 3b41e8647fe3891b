BEGIN TRANSACTION;
CREATE TABLE convoy_about (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "convoy_about" VALUES(1);
CREATE TABLE convoy_absences (
	app VARCHAR(255) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	rollout INTEGER NOT NULL, 
	since FLOAT NOT NULL, 
	original TEXT NOT NULL, 
	PRIMARY KEY (app, host)
);
INSERT INTO "convoy_absences" VALUES('web','web1',2,2002.0,'{"lb1/web": {"admin": "drain", "weight": 10, "initial_weight": 10, "agent": false, "follows": null}}');
CREATE TABLE convoy_events (
	number INTEGER NOT NULL, 
	rollout INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	host VARCHAR(255), 
	kind VARCHAR(32) NOT NULL, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "convoy_events" VALUES(1,1,1000.0,NULL,'opened','{"version": "1.9", "cause": "the first one"}');
INSERT INTO "convoy_events" VALUES(2,1,1002.0,'web1','leaving','{"verdict": null, "why": ""}');
INSERT INTO "convoy_events" VALUES(3,1,1003.0,'web1','drained','{"verdict": null, "why": ""}');
INSERT INTO "convoy_events" VALUES(4,1,1005.0,'web1','back','{"verdict": "converged", "why": ""}');
INSERT INTO "convoy_events" VALUES(5,1,1012.0,'web2','leaving','{"verdict": null, "why": ""}');
INSERT INTO "convoy_events" VALUES(6,1,1013.0,'web2','drained','{"verdict": null, "why": ""}');
INSERT INTO "convoy_events" VALUES(7,1,1015.0,'web2','back','{"verdict": "converged", "why": ""}');
INSERT INTO "convoy_events" VALUES(8,1,1022.0,'web3','leaving','{"verdict": null, "why": ""}');
INSERT INTO "convoy_events" VALUES(9,1,1023.0,'web3','drained','{"verdict": null, "why": ""}');
INSERT INTO "convoy_events" VALUES(10,1,1025.0,'web3','back','{"verdict": "converged", "why": ""}');
INSERT INTO "convoy_events" VALUES(11,1,1040.0,NULL,'ended','{"verdict": "converged", "reason": ""}');
INSERT INTO "convoy_events" VALUES(12,2,2000.0,NULL,'opened','{"version": "2.0", "cause": "it''s time; really"}');
INSERT INTO "convoy_events" VALUES(13,2,2002.0,'web1','leaving','{"verdict": null, "why": ""}');
INSERT INTO "convoy_events" VALUES(14,2,2003.0,'web1','drained','{"verdict": null, "why": ""}');
CREATE TABLE convoy_hosts (
	rollout INTEGER NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	place INTEGER NOT NULL, 
	step VARCHAR(32) NOT NULL, 
	verdict VARCHAR(32), 
	why TEXT NOT NULL, 
	asked INTEGER NOT NULL, 
	changed FLOAT NOT NULL, 
	PRIMARY KEY (rollout, host)
);
INSERT INTO "convoy_hosts" VALUES(1,'web1',0,'back','converged','',1,1005.0);
INSERT INTO "convoy_hosts" VALUES(1,'web2',1,'back','converged','',1,1015.0);
INSERT INTO "convoy_hosts" VALUES(1,'web3',2,'back','converged','',1,1025.0);
INSERT INTO "convoy_hosts" VALUES(2,'web1',0,'drained',NULL,'',1,2003.0);
INSERT INTO "convoy_hosts" VALUES(2,'web2',1,'planned',NULL,'',0,2000.0);
INSERT INTO "convoy_hosts" VALUES(2,'web3',2,'planned',NULL,'',0,2000.0);
CREATE TABLE convoy_leases (
	app VARCHAR(255) NOT NULL, 
	fence INTEGER NOT NULL, 
	rollout INTEGER, 
	holder TEXT NOT NULL, 
	expires FLOAT NOT NULL, 
	PRIMARY KEY (app)
);
INSERT INTO "convoy_leases" VALUES('web',2,2,'{"user": "ann", "node": "elsewhere.example", "pid": 4711, "born": "123456"}',2903.0);
CREATE TABLE convoy_rollouts (
	number INTEGER NOT NULL, 
	app VARCHAR(255) NOT NULL, 
	version VARCHAR(255) NOT NULL, 
	digest VARCHAR(255), 
	cause TEXT NOT NULL, 
	"by" VARCHAR(255) NOT NULL, 
	"plan" TEXT NOT NULL, 
	started FLOAT NOT NULL, 
	progressed FLOAT NOT NULL, 
	halted TEXT NOT NULL, 
	ended FLOAT, 
	verdict VARCHAR(32), 
	reason TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "convoy_rollouts" VALUES(1,'web','1.9','sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','the first one','ann on elsewhere.example, process 4711','{"app": "web", "version": "1.9", "batches": [["web1"], ["web2"], ["web3"]], "skipped": {}, "held": {}, "unreachable": {}, "limit": 1, "floors": {"lb1/web": 2}, "sums": ["the fleet: 1 of 3, so 1 at a time", "lb1/web: 1 of 3, so 1 at a time; floor 2"], "deployed": []}',1000.0,1025.0,'',1040.0,'converged','');
INSERT INTO "convoy_rollouts" VALUES(2,'web','2.0','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','it''s time; really','ann on elsewhere.example, process 4711','{"app": "web", "version": "2.0", "batches": [["web1"], ["web2"], ["web3"]], "skipped": {}, "held": {}, "unreachable": {}, "limit": 1, "floors": {"lb1/web": 2}, "sums": ["the fleet: 1 of 3, so 1 at a time", "lb1/web: 1 of 3, so 1 at a time; floor 2"], "deployed": []}',2000.0,2000.0,'',NULL,NULL,'');
CREATE TABLE convoy_views (
	rollout INTEGER NOT NULL, 
	place VARCHAR(255) NOT NULL, 
	seen FLOAT NOT NULL, 
	members TEXT NOT NULL, 
	PRIMARY KEY (rollout, place)
);
INSERT INTO "convoy_views" VALUES(1,'lb1/web',1025.0,'[{"balancer": "lb1", "pool": "web", "name": "web1", "host": "web1", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web2", "host": "web2", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web3", "host": "web3", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}]');
INSERT INTO "convoy_views" VALUES(2,'lb1/web',2003.0,'[{"balancer": "lb1", "pool": "web", "name": "web1", "host": "web1", "admin": "maintenance", "in_service": false, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web2", "host": "web2", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web3", "host": "web3", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}]');
CREATE INDEX ix_convoy_rollouts_app ON convoy_rollouts (app);
CREATE INDEX ix_convoy_events_rollout ON convoy_events (rollout);
COMMIT;
