import type { Event } from '@jupyterlab/services';
import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Stream } from '@lumino/signaling';

import { Eolab } from '../src/app/eolab';
import { CHANGED_SCHEMA } from '../src/server/contract';

type Maker = (request: Request) => object | Promise<object>;
type Answer = object | Maker;

/** The REST of the server half as the contract words it, and its events. */
export class FakeServer {
  /** What is answered below `eolab/api/v1/`; a path that is not named is a foreign 404. */
  readonly answers = new Map<string, Answer>();

  /** The method, path and query of every request so far. */
  readonly requests: string[] = [];

  /** Off: no connection at all. */
  connected = true;

  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://lab.test/user/ann/',
    wsUrl: 'ws://lab.test/user/ann/',
    token: 'secret',
    fetch: async (input: RequestInfo) => this._answer(input as Request)
  });

  readonly events = {
    stream: new Stream<Event.IManager, Event.Emission>(
      {} as unknown as Event.IManager
    )
  };

  /** Tell that topics changed, as the server half does. */
  emit(...topics: string[]): void {
    this.events.stream.emit({
      schema_id: CHANGED_SCHEMA,
      topics
    });
  }

  /** What the application that talks to this server shares, with its models at hand. */
  eolab(): Eolab {
    const { settings, events } = this;
    return new Eolab(
      {
        commands: new CommandRegistry(),
        serviceManager: {
          serverSettings: settings,
          events: events as unknown as Event.IManager
        }
      },
      nullTranslator.load('eolab')
    );
  }

  private async _answer(request: Request): Promise<Response> {
    if (!this.connected) {
      throw new TypeError('Failed to fetch');
    }
    const url = new URL(request.url);
    const path = url.pathname.replace('/user/ann/eolab/api/v1/', '');
    // Lab's client adds the time to every request, against caches.
    for (const key of [...url.searchParams.keys()]) {
      if (/^\d+$/.test(key)) {
        url.searchParams.delete(key);
      }
    }
    this.requests.push(`${request.method} ${path}${url.search}`);
    const answer = this.answers.get(path);
    if (answer === undefined) {
      return new Response('<html>404</html>', { status: 404 });
    }
    const value: object =
      typeof answer === 'function' ? await (answer as Maker)(request) : answer;
    return value instanceof Response
      ? value.clone()
      : new Response(JSON.stringify(value));
  }
}

/** An error as the server half words it. */
export function refusal(
  status: number,
  message: string,
  hint: string
): Response {
  return new Response(JSON.stringify({ message, hint }), { status });
}
