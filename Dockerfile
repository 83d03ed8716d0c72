# One image for the worker and the gateway: they share every module but their composition root, so one build serves both.
# The page is built in a stage of its own because it needs the development packages, which the last stage leaves out.

FROM node:22.23.2-bookworm-slim AS web
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig*.json ./
COPY src ./src
COPY web ./web
RUN npx --no-install vite build web

FROM node:22.23.2-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package's own script runs with the network at hand: everything native here comes as a prebuilt package.
RUN npm ci --omit=dev --ignore-scripts

FROM node:22.23.2-bookworm-slim
ENV NODE_ENV=production \
    CANDOR_DATA_DIR=/var/lib/candor \
    CANDOR_AGENTS_DIR=/app/agents
WORKDIR /app
# The program stays owned by root and the process runs as `node`: code that is tricked cannot change the code.
COPY --from=modules /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY src ./src
COPY agents ./agents
COPY knowledge ./knowledge
COPY --from=web /app/web/dist ./web/dist
# A named volume takes the owner of the folder it is mounted on; without this line it would belong to root.
RUN install -d -o node -g node -m 0700 /var/lib/candor
USER node
EXPOSE 3000
CMD ["node", "bin/candor.mjs", "gateway"]
